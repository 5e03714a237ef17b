/** What the views of a node are made from. */
import type { Asking } from './asking.ts';
import type { Finder } from './finder.ts';
import type { Parts } from './node.ts';

export interface ViewPorts {
  readonly parts: Parts;
  readonly asking: Asking;
  readonly find: Finder;
  /** `host:port` under which other nodes reach this one. */
  readonly announced: string;
}
