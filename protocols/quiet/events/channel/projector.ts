import { insert, projector } from '../../../../core/sources.ts';
import { channel } from './schema.ts';

export const projectChannel = projector(channel, { project: () => [insert('channel', {})] });
