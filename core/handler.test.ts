import { describe, expect, it } from 'vitest';
import type { ReceivedEnvelope } from './envelope.ts';
import { handler, pipelineOf } from './handler.ts';
import { advance, reject } from './outcome.ts';

const verify = handler({
  name: 'verify',
  takes: 'received',
  gives: ['verified'],
  process: () => reject('test'),
});
const receive = handler({
  name: 'receive',
  takes: 'frame',
  gives: ['received'],
  process: () => reject('test'),
});
const open = handler({ name: 'open', takes: 'verified', gives: ['opened'], process: () => reject('test') });
const validate = handler({
  name: 'validate',
  takes: 'opened',
  gives: ['valid'],
  process: () => reject('test'),
});
const project = handler({
  name: 'project',
  takes: 'valid',
  gives: ['valid'],
  process: (envelope) => advance(envelope),
});

describe('the order of handlers is checked by the compiler', () => {
  it('takes handlers in an order in which every stage exists before it is taken', () => {
    expect(pipelineOf([receive, verify, open, validate, project])).toHaveLength(5);
  });

  it('"project before verify" is a type error', () => {
    // @ts-expect-error: nothing above `project` gives a valid envelope.
    pipelineOf([receive, project, verify, open, validate]);
    // @ts-expect-error: nothing at all gives one.
    pipelineOf([receive, verify, project]);
    const wrong = (envelope: ReceivedEnvelope) => advance(envelope);
    // @ts-expect-error: a handler may advance to the stages it declares, and to no others.
    handler({ name: 'skip', takes: 'received', gives: ['verified'], process: wrong });
  });
});
