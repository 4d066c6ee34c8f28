/**
 * Which traces are kept: the samplers of OpenTelemetry by their standard names (OTEL_TRACES_SAMPLER).
 */
import type { SpanContext } from './trace-context.ts';

/** Whether a span that begins under `parent`, or begins a trace, is recorded. */
export type Sampler = (traceId: string, parent: SpanContext | undefined) => boolean;

/** Undefined names are `parentbased_always_on`, which is the standard's default; so, with a warning, is what nobody knows. */
export function readSampler({ name = 'parentbased_always_on', argument }: { name?: string; argument?: string }, warnings: string[]): Sampler {
  const [, parentBased, root = ''] = /^(parentbased_)?(.*)$/.exec(name) ?? [];
  const decide = rootSampler(root, argument, warnings);
  if (!decide) {
    warnings.push('OTEL_TRACES_SAMPLER is not known; parentbased_always_on is used');
    return (_traceId, parent) => parent?.sampled ?? true;
  }
  return parentBased ? (traceId, parent) => parent?.sampled ?? decide(traceId) : (traceId) => decide(traceId);
}

function rootSampler(name: string, argument: string | undefined, warnings: string[]): ((traceId: string) => boolean) | undefined {
  if (name === 'always_on') return () => true;
  if (name === 'always_off') return () => false;
  if (name !== 'traceidratio') return undefined;
  const ratio = ratioOf(argument, warnings);
  // All nodes that see a trace decide alike: its id is the die.
  return (traceId) => Number.parseInt(traceId.slice(-13), 16) / 16 ** 13 >= 1 - ratio;
}

function ratioOf(argument: string | undefined, warnings: string[]): number {
  const ratio = argument === undefined ? 1 : Number(argument);
  if (ratio >= 0 && ratio <= 1) return ratio;
  warnings.push('OTEL_TRACES_SAMPLER_ARG must be from 0 to 1; 1 is used');
  return 1;
}
