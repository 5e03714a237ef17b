/**
 * Replaces everything in a draft's body that stands for something else: ids of drafts before it, proofs and sealed keys whose secrets only
 * handlers hold, and the signed header of what a deletion or an edit is aimed at.
 */
import { assert } from '../../../core/assert.ts';
import type { EventDraft, Identity, IdOf, ProofWith, SealedKey } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { sealTo } from '../../../crypto/box.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { signOnce } from '../../../crypto/sign.ts';
import { heldKey, withKey } from './group-keys.ts';
import { proofMessage } from './proof.ts';
import type { Me } from './sign.ts';

/** The body with nothing left to fill in, or the name of the rule that forbids it. */
export function resolveDraft(
  draft: EventDraft,
  me: Me,
  identity: Identity,
  context: HandlerContext,
): Record<string, unknown> | string {
  const body: Record<string, unknown> = { ...draft.body };
  for (const name of Object.keys(body)) {
    const value = body[name];
    if (Array.isArray(value)) {
      const items = value.map((item) => idOfDraft(item, context));
      if (items.includes(undefined)) return 'names_a_draft_that_was_not_made';
      body[name] = items;
      continue;
    }
    if (value === null || typeof value !== 'object') continue;
    const placeholder = value as Partial<IdOf & ProofWith & SealedKey>;
    if (placeholder.id_of !== undefined) {
      const id = idOfDraft(value, context);
      if (id === undefined) return 'names_a_draft_that_was_not_made';
      body[name] = id;
    } else if (placeholder.proof_with !== undefined) {
      body[name] = proof(placeholder.proof_with, me, context);
    } else if (placeholder.seal_key !== undefined && placeholder.to_prekey !== undefined) {
      const sealed = sealKey(placeholder.seal_key, placeholder.to_prekey, identity, context);
      if (sealed === null) return 'key_cannot_be_sealed';
      body[name] = sealed;
    }
  }
  if (draft.target === null) return body;
  return withTarget(body, draft.target.event_id, identity, context);
}

function idOfDraft(value: unknown, context: HandlerContext): unknown {
  const id_of = (value as Partial<IdOf> | null)?.id_of;
  return id_of === undefined ? value : context.draft_ids.get(id_of);
}

function proof(handle: string, me: Me, context: HandlerContext): string {
  const secret = context.secrets.get(handle);
  assert(
    secret !== undefined && me.network_id !== null,
    'a proof is made with a secret that the host holds, in a network',
  );
  return signOnce(secret, proofMessage(me.network_id, me.device_id)).toHex();
}

function sealKey(key_id: Id, prekey: Id, identity: Identity, context: HandlerContext): string | null {
  const key = heldKey(context, identity, key_id);
  if (key === null) return null;
  const ephemeral = context.random.bytes(32);
  const sealed = withKey(context, key, (secret) => sealTo(Uint8Array.fromHex(prekey), secret, ephemeral));
  wipe(ephemeral);
  return sealed?.toHex() ?? null;
}

function withTarget(
  body: Record<string, unknown>,
  event_id: Id,
  identity: Identity,
  context: HandlerContext,
): Record<string, unknown> | string {
  const target = context
    .statement('SELECT header, signature FROM event WHERE identity = :identity AND id = :id')
    .get({ identity, id: Uint8Array.fromHex(event_id) });
  if (target === undefined) return 'target_is_unknown';
  body.target_header = (target.header as Uint8Array).toHex();
  body.target_signature = (target.signature as Uint8Array).toHex();
  return body;
}
