/** The protocol that a node runs. */
import { assembleProtocol, type Protocol } from '../../core/protocol.ts';
import { quiet } from '../../protocols/quiet/registry.gen.ts';
import { readProtocolFolder } from './protocol-folder.ts';

/** Quiet, with a folder laid over it or in its place. */
export async function loadProtocol(dir: string | undefined): Promise<Protocol> {
  if (dir === undefined) return assembleProtocol([quiet]);
  const folder = await readProtocolFolder(dir);
  return assembleProtocol('pipeline.ts' in folder.modules ? [folder] : [quiet, folder]);
}
