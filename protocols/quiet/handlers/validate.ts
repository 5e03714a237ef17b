/**
 * Asks the rules of an event's type, in their order. The first that does not hold rejects the event under its name. What passes is valid.
 */
import { handler } from '../../../core/handler.ts';
import { advance, reject } from '../../../core/outcome.ts';

export const validate = handler({
  name: 'validate',
  takes: 'opened',
  gives: ['valid'],
  process: (envelope, context) => {
    const projector = context.protocol.projectors.get(envelope.type);
    if (projector !== undefined) {
      const broken = context.pure.brokenRule(projector, envelope.event, context.scope(envelope.identity));
      if (broken !== null) return reject(broken);
    }
    return advance({ ...envelope, stage: 'valid' });
  },
});
