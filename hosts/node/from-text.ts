/** Turns parameters that a person typed (`-p limit=5`) into what a query or a command takes, guided by its own schema. */
import type { z } from 'zod';
import type { Shape } from '../../core/fields.ts';

interface Definition {
  readonly type?: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
}

/** Text stays text unless the field wants a number, a boolean, null, or a list (with commas). What does not fit is left as it is, for the schema to refuse. */
export function fromText(shape: Shape, params: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      shape[name] === undefined ? value : fromOne(shape[name], value),
    ]),
  );
}

function fromOne(schema: z.ZodType, text: string): unknown {
  const def: Definition = (schema as { def?: Definition }).def ?? {};
  if (def.type === 'nullable' && text === 'null') return null;
  if (def.innerType !== undefined) return fromOne(def.innerType, text);
  const { element } = def;
  if (element !== undefined) return text === '' ? [] : text.split(',').map((one) => fromOne(element, one));
  if (def.type === 'number' && text.trim() !== '') return Number(text);
  if (def.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}
