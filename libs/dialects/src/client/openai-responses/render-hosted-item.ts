/** An item of a hosted tool in words. */
export interface RenderedItem {
  /** The model did something, or it was told what came of it. */
  readonly speaker: 'assistant' | 'user';
  readonly text: string;
}

interface HeldText {
  readonly speaker: RenderedItem['speaker'];
  readonly fields: readonly string[];
}

/** The fields that hold something to read, by type of item; of all other types nothing is kept. */
const fieldsOf: ReadonlyMap<string, HeldText> = new Map([
  ['local_shell_call', did('action')],
  ['shell_call', did('action')],
  ['apply_patch_call', did('operation')],
  ['tool_search_call', did('arguments')],
  ['web_search_call', did('action')],
  ['file_search_call', did('queries', 'results')],
  ['computer_call', did('action', 'actions')],
  ['code_interpreter_call', did('code', 'outputs')],
  ['mcp_call', did('name', 'arguments', 'output', 'error')],
  ['program', did('code')],
  ['local_shell_call_output', got('output')],
  ['shell_call_output', got('output')],
  ['apply_patch_call_output', got('output')],
  ['tool_search_output', got('tools')],
  ['program_output', got('result')],
  ['mcp_approval_response', got('reason')],
]);

/**
 * An item of a tool that nobody here can run, as text, so that a conversation from elsewhere goes on with what it held (contract 2.4).
 * `undefined` for items that hold nothing to read, and for types that nobody knows.
 */
export function renderHostedItem(type: string, item: Readonly<Record<string, unknown>>): RenderedItem | undefined {
  const known = fieldsOf.get(type);
  if (!known) return undefined;
  const { speaker, fields } = known;
  const values = fields.map((field) => asText(item[field])).filter((text) => text !== '');
  return values.length === 0 ? undefined : { speaker, text: `${type}: ${values.join('\n')}` };
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function did(...fields: string[]): HeldText {
  return { speaker: 'assistant', fields };
}

function got(...fields: string[]): HeldText {
  return { speaker: 'user', fields };
}
