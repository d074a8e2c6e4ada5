import { TurnError } from '@zai2api/turn';
import type * as z from 'zod';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** The body as `schema` reads it. Throws `invalid_request` with the path of the first fault; its message never repeats a value of the client. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new TurnError('invalid_request', 'The request body must be a JSON object.', { layer: 'client' });
  }
  return parsePart(schema, body, '');
}

/** The same for a part of a body that stands at `path`, where its type decides what else must be there. */
export function parsePart<Schema extends z.ZodType>(schema: Schema, part: unknown, path: string): z.output<Schema> {
  const parsed = schema.safeParse(part);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  if (!first) throw parsed.error;
  const { issue, path: inside } = mostTelling(first);
  throw describeIssue(issue, inside, part, path);
}

/** Of the branches of a union, the one that got furthest: content that is a list fails in a part, not for being no string. */
function mostTelling(issue: Issue, base: Path = []): { issue: Issue; path: Path } {
  const path = [...base, ...issue.path];
  if (issue.code !== 'invalid_union') return { issue, path };
  let best: { issue: Issue; path: Path } = { issue, path };
  for (const [first] of issue.errors) {
    if (!first) continue;
    const candidate = mostTelling(first, path);
    const further = candidate.path.length > best.path.length;
    if (further || (candidate.path.length === best.path.length && candidate.issue.code !== 'invalid_type')) {
      best = candidate;
    }
  }
  return best;
}

function describeIssue(issue: Issue, path: Path, body: unknown, base: string): TurnError {
  const param = formatPath(path, base);
  if (isAbsent(body, path)) {
    return new TurnError('invalid_request', `Missing required parameter: '${param}'.`, {
      layer: 'client',
      param,
      reason: 'missing_required_parameter',
    });
  }
  const wrongType = issue.code === 'invalid_type' || issue.code === 'invalid_union';
  return new TurnError(
    'invalid_request',
    wrongType
      ? `Invalid type for '${param}': ${issue.code === 'invalid_union' ? 'no accepted form matches' : `expected ${issue.expected}`}.`
      : `Invalid value for '${param}': ${issue.message.replace(/^Invalid \w+: /, '')}.`,
    { layer: 'client', param, reason: wrongType ? 'invalid_type' : 'invalid_value' },
  );
}

/** Such as `messages[2].content[0].type`. */
function formatPath(path: Path, base: string): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    base,
  );
}

function isAbsent(body: unknown, path: Path): boolean {
  let value = body;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return false;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value === undefined || value === null;
}
