/** Routes that go on telling: changes and the trace, as server-sent events. */

import type { OpenAPIHono } from '@hono/zod-openapi';
import { createStreams, encodeEvent } from '../events.ts';
import type { NodeFacade } from '../facade.ts';
import { defineStream } from '../route.ts';
import * as views from '../views.ts';

export function addStreamRoutes(app: OpenAPIHono, node: NodeFacade): void {
  const streams = createStreams();
  defineStream(
    app,
    {
      path: '/v1/trace/follow',
      summary: 'Trace entries from now on, as events `trace`; `lagged` comes last, to a slow reader.',
    },
    views.trace_view,
    () => streams.open((tell) => node.followTrace((entry) => tell(encodeEvent('trace', entry.entry, entry)))),
  );
  defineStream(
    app,
    {
      path: '/v1/changes',
      summary: 'Changes from now on, as events `change`; `lagged` comes last, to a slow reader.',
    },
    views.change_view,
    () =>
      streams.open((tell) => node.subscribe((change) => tell(encodeEvent('change', change.change, change)))),
  );
}
