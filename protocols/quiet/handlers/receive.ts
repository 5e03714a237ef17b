/**
 * Takes a frame apart. Here size and shape are checked, and whatever a peer may never send is turned away at the door: types of class
 * `local` by their class, and anything but membership events from a device that is not a member.
 */
import { SottoError } from '../../../core/assert.ts';
import { decodeBody } from '../../../core/body-codec.ts';
import type { FrameEnvelope } from '../../../core/envelope.ts';
import type { Event } from '../../../core/event-type.ts';
import { decodeFrame, type FrameItem } from '../../../core/frame-codec.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { limits } from '../../../core/limits.ts';
import { emit, type Follow, reject } from '../../../core/outcome.ts';
import { isCurrentDevice, isMemberDevice } from './store.ts';

/** Items that somebody who is not a member may send in one frame: an introduction is a handful of events. */
const STRANGER_ITEMS_MAX = 256;

export const receive = handler({
  name: 'receive',
  takes: 'frame',
  gives: ['received', 'header', 'opened'],
  process: (envelope, context) => {
    if (isRemoved(envelope, context)) return reject('sender_removed');
    let items: FrameItem[];
    try {
      items = decodeFrame(envelope.bytes);
    } catch (thrown) {
      return reject(codeOf(thrown));
    }
    if (items.length > STRANGER_ITEMS_MAX && isStranger(envelope, context))
      return reject('stranger_sends_too_much');
    const follows: Follow[] = [];
    for (const [place, item] of items.entries()) {
      const taken = take(item, place, envelope, context);
      if (typeof taken === 'string') context.count(`rejected:${taken}`);
      else follows.push(taken);
    }
    return emit(follows);
  },
});

/** The envelope for one item, or the name of the rule it breaks. */
function take(
  item: FrameItem,
  place: number,
  frame: FrameEnvelope,
  context: HandlerContext,
): Follow | string {
  const { identity, cause, origin, depth } = frame;
  if (item.item === 'event') {
    const { header, signature, body, wraps } = item.raw;
    const bytes = header.length + signature.length + body.length + 80 * wraps.length;
    if (bytes > limits.event_bytes_max) return 'event_too_large';
    const signature_holds = frame.checked?.has(place) === true;
    return {
      envelope: { stage: 'received', raw: item.raw, signature_holds, identity, cause, origin, depth },
    };
  }
  if (item.item === 'header')
    return {
      envelope: {
        stage: 'header',
        header: item.header,
        signature: item.signature,
        identity,
        cause,
        origin,
        depth,
      },
    };
  const type = context.protocol.types.get(item.type)?.value;
  if (type === undefined) return 'unknown_transient_type';
  if (type.class === 'local') return 'local_type_from_network';
  if (type.class !== 'transient') return 'unsigned_event';
  try {
    const body = decodeBody(type, item.body);
    const event: Event = {
      event_id: '',
      type: type.name,
      network_id: context.scope(identity).me?.network_id ?? '',
      group_id: null,
      author: origin.from === 'network' ? origin.device_id : '',
      seq: 0,
      created_ms: context.now_ms,
      expires_ms: context.now_ms,
      body: body as Event['body'],
      target: null,
    };
    return {
      envelope: { stage: 'opened', type, event, raw: null, header: null, identity, cause, origin, depth },
    };
  } catch (thrown) {
    return codeOf(thrown);
  }
}

function isStranger(envelope: FrameEnvelope, context: HandlerContext): boolean {
  const me = context.scope(envelope.identity).me;
  if (me === null || envelope.origin.from !== 'network') return false;
  // Who has just joined knows nobody yet, and talks only to the device that its invite names.
  if (!isMemberDevice(context, envelope.identity, me.device_id)) return false;
  return !isMemberDevice(context, envelope.identity, envelope.origin.device_id);
}

/** Who was removed says nothing here any more, even in a session that is about to end. */
function isRemoved(envelope: FrameEnvelope, context: HandlerContext): boolean {
  const { identity, origin } = envelope;
  return (
    origin.from === 'network' &&
    isMemberDevice(context, identity, origin.device_id) &&
    !isCurrentDevice(context, identity, origin.device_id)
  );
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof SottoError) return thrown.code;
  throw thrown;
}
