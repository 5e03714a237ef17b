/** The only door to libsodium. No other file imports the library, so that another build of it is a change of this line. */

import sodium from 'sodium-native';

export { sodium };
