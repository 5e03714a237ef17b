import { insert, projector } from '../../../../core/sources.ts';
import { profile } from './schema.ts';

export const projectProfile = projector(profile, { project: () => [insert('profile', {})] });
