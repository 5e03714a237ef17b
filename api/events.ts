/**
 * Server-sent events: how a client is told what happens without asking again and again.
 *
 * A subscriber that reads too slowly must cost neither memory nor the others' time: what waits for it is bounded, and past the bound it
 * gets one last event, `lagged`, and the end of its stream. It then reads its state afresh and subscribes again.
 */

import { SottoError } from '../core/assert.ts';

/** Events that may wait for one subscriber. One batch of the pipeline tells its changes at once, so this is well above a batch. */
export const subscriber_events_max = 8_192;

/** Streams open at a time: each costs a connection and, at worst, `subscriber_events_max` events. */
export const subscribers_max = 64;

/** Proxies and sleeping laptops drop a connection that says nothing. */
const keep_alive_ms = 15_000;

const encoder = new TextEncoder();

/** One event on the wire, as the HTML standard defines it (section 9.2, server-sent events). */
export function encodeEvent(event: string, id: number | null, data: unknown): string {
  const id_line = id === null ? '' : `id: ${id}\n`;
  return `event: ${event}\n${id_line}data: ${JSON.stringify(data)}\n\n`;
}

/** Counts open streams and opens new ones. One per app. */
export interface Streams {
  /**
   * A stream of what `follow` tells, until its reader goes.
   *
   * @param follow starts telling; returns the function that ends it
   * @throws SottoError `too_many_subscribers`
   */
  open(follow: (tell: (event: string) => void) => () => void): ReadableStream<Uint8Array>;
}

export function createStreams(): Streams {
  let open_streams = 0;
  return {
    open(follow) {
      if (open_streams >= subscribers_max) {
        throw new SottoError(
          'too_many_subscribers',
          `Expected at most ${subscribers_max} open event streams. Close one first.`,
        );
      }
      const stream = openStream(follow, () => {
        open_streams -= 1;
      });
      open_streams += 1;
      return stream;
    },
  };
}

function openStream(
  follow: (tell: (event: string) => void) => () => void,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  let waiting: string[] = [];
  let ended = false;
  let end = () => {};

  return new ReadableStream<Uint8Array>({
    start(controller) {
      const wantsMore = () => (controller.desiredSize ?? 0) > 0;
      const tell = (event: string) => {
        if (ended) return;
        if (wantsMore()) {
          controller.enqueue(encoder.encode(event));
        } else if (waiting.length < subscriber_events_max) {
          waiting.push(event);
        } else {
          end();
          waiting = [encodeEvent('lagged', null, { events_max: subscriber_events_max })];
        }
      };
      const unfollow = follow(tell);
      const keep_alive = setInterval(() => {
        if (wantsMore()) controller.enqueue(encoder.encode(': keep-alive\n\n'));
      }, keep_alive_ms);
      end = () => {
        if (ended) return;
        ended = true;
        clearInterval(keep_alive);
        unfollow();
        onEnd();
      };
    },
    pull(controller) {
      if (waiting.length > 0) controller.enqueue(encoder.encode(waiting.join('')));
      waiting = [];
      if (ended) controller.close();
    },
    cancel() {
      waiting = [];
      end();
    },
  });
}
