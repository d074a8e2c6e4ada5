import type { ToolChoice, ToolDefinition, TurnError, TurnEvent, TurnMessage } from '@zai2api/turn';
import type { EventStage } from '../render-reasoning.ts';
import { createToolBody, type ToolBody } from './tool-body.ts';
import { createCallDelivery, type CallDelivery } from './tool-calls.ts';
import { allowedTools } from './tool-choice.ts';
import { invalidToolCall, unmetToolChoice } from './tool-errors.ts';
import { findRepeatedCalls } from './tool-loop.ts';
import { createToolParser } from './tool-parser.ts';
import type { ToolSink } from './tool-sink.ts';
import { createThoughtCalls } from './tool-thoughts.ts';
import { createBlockWriter } from './write-blocks.ts';

/** The tools of a request and how calls of them are to be made. */
export interface ToolBridgeOptions {
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
  /** False: at most one call in an answer. */
  readonly parallelToolCalls: boolean;
  /** A fresh id. */
  readonly newId: () => string;
  /** What a tool's schema finds wrong with arguments; asked for strict tools only. */
  readonly checkArguments?: (tool: ToolDefinition, value: unknown) => readonly string[];
  /** The conversation, to notice a call that is made again and again. */
  readonly messages?: readonly TurnMessage[];
  /** A call of a tool that is not there or not allowed was taken out. */
  readonly onDropped?: (name: string) => void;
}

const MAX_ID_CHARACTERS = 40;

/**
 * The stage that makes calls of what the model wrote (contract 1.5): calls in the text become events, their markup never reaches the
 * client, arguments flow as soon as they are sure, and only calls of allowed tools with one JSON object as arguments are delivered. A call
 * that is not valid, and a demand that was not met, end the turn in an error of `tool-errors.ts`.
 */
export function createToolBridge(options: ToolBridgeOptions): EventStage {
  if (options.tools.length === 0) return (event) => (event.type.startsWith('tool-call-') ? [] : [event]);
  const { toolChoice, parallelToolCalls } = options;
  const tools = new Map(options.tools.map((tool) => [tool.name, tool]));
  const allowed = allowedTools(options.tools, toolChoice);
  const demanded = toolChoice.mode === 'required';
  const rules = {
    checkArguments: options.checkArguments,
    repeated: findRepeatedCalls(options.messages ?? []),
  };

  const writer = createBlockWriter();
  let current: { readonly name: string; readonly delivery: CallDelivery; started: boolean } | undefined;
  let native: { readonly body: ToolBody; rest: string } | undefined;
  let calls = 0;
  let firstDropped: string | undefined;
  let hasMarkup = false;
  let hasText = false;
  /** Line breaks and spaces at the end of the text so far: not part of it when a call follows. */
  let space = '';
  /** Text that waits for a demanded call. */
  let held = '';
  /** `over`: the one call that was allowed is complete. `failed`: the error was sent. */
  let state: 'running' | 'over' | 'failed' = 'running';
  let dropsCalls = false;

  function fail(error: TurnError): void {
    if (state === 'running') writer.pass({ type: 'turn-error', error });
    state = 'failed';
  }

  const isRepeatable = (): boolean => calls === 0 && (!hasText || held !== '');

  function start(): void {
    if (!current || current.started) return;
    current.started = true;
    calls += 1;
    writer.text(held);
    held = '';
    const id = `call_${options.newId().replace(/[^A-Za-z0-9_]/g, '')}`.slice(0, MAX_ID_CHARACTERS);
    writer.startCall(id, current.name);
  }

  const sink: ToolSink = {
    text(text) {
      if (state !== 'running') return;
      const all = space + text;
      let shown = all.trimEnd();
      space = all.slice(shown.length);
      if (shown === '') return;
      if (hasMarkup && !hasText) shown = shown.trimStart();
      hasText = true;
      if (demanded && calls === 0) held += shown;
      else writer.text(shown);
    },
    markup() {
      hasMarkup = true;
      space = '';
    },
    begin(name) {
      if (state !== 'running' || dropsCalls) return false;
      const tool = allowed.get(name);
      if (!tool) {
        firstDropped ??= name;
        options.onDropped?.(name);
        return false;
      }
      current = { name, delivery: createCallDelivery(tool, rules), started: false };
      return true;
    },
    grow(argumentsText) {
      if (state !== 'running' || dropsCalls || !current?.delivery.streams || argumentsText === '') return;
      start();
      current.delivery.sent(argumentsText);
      writer.argumentsText(argumentsText);
    },
    finish(argumentsText) {
      if (state !== 'running' || dropsCalls || !current) return;
      const verdict = current.delivery.judge(argumentsText);
      if (typeof verdict !== 'string') {
        fail(verdict(isRepeatable()));
        return;
      }
      start();
      writer.argumentsText(verdict.slice(current.delivery.sentCharacters));
      writer.endCall();
      current = undefined;
      if (!parallelToolCalls) state = 'over';
    },
    unreadable() {
      firstDropped ??= '';
    },
  };
  const parser = createToolParser({ sink, tools, tagsOnly: false });
  const thoughts = createThoughtCalls({ tools, allowed, reasoning: (text) => writer.reasoning(text) });

  function takeNative(event: TurnEvent): void {
    if (event.type === 'tool-call-start') {
      parser.end(false);
      sink.markup('other');
      const body = createToolBody({ root: 'object', cdata: false, place: 'answer' });
      native = sink.begin(event.name) ? { body, rest: '' } : undefined;
    } else if (native && event.type === 'tool-call-delta') {
      native.rest += event.argumentsText;
      native.rest = native.rest.slice(native.body.read(native.rest));
      sink.grow(native.body.takeSure());
    } else if (native && event.type === 'tool-call-end') {
      native.body.end(native.rest);
      const result = native.body.result(false);
      native = undefined;
      sink.finish(result?.text, result?.repaired ?? true);
    }
  }

  function finish(end: Extract<TurnEvent, { type: 'turn-end' }>): void {
    if (state === 'running') parser.end(end.reason === 'length');
    // A demanded call that was written while thinking only is better than none.
    if (state === 'running' && calls === 0 && (!hasText || demanded)) {
      for (const call of thoughts.calls) if (sink.begin(call.name)) sink.finish(call.argumentsText, false);
    }
    // What the upstream refuses to say, it refuses again.
    if (calls === 0 && end.reason !== 'content-filter') {
      if (demanded) fail(unmetToolChoice([...allowed.keys()]));
      else if (!hasText && firstDropped !== undefined) fail(invalidToolCall(describe(firstDropped), true));
    }
    if (state === 'failed') return;
    writer.text(held);
    if (!hasMarkup) writer.text(space);
    writer.pass(calls > 0 ? { ...end, reason: 'tool-calls' } : end);
  }

  function take(event: TurnEvent): void {
    switch (event.type) {
      case 'text-delta':
        parser.push(event.text);
        break;
      case 'text-start':
      case 'text-end':
        break;
      case 'reasoning-start':
        // A call does not go on behind a thought.
        parser.end(false);
        break;
      case 'reasoning-delta':
        thoughts.push(event.text);
        break;
      case 'reasoning-end':
        thoughts.end();
        writer.endReasoning(event.summary);
        break;
      case 'tool-call-start':
      case 'tool-call-delta':
      case 'tool-call-end':
        takeNative(event);
        break;
      case 'turn-end':
        finish(event);
        break;
      case 'turn-error':
        // What failed is the answer, not the call that it broke off.
        dropsCalls = true;
        if (!demanded) parser.end(true);
        writer.pass(event);
        break;
      default:
        writer.pass(event);
    }
  }

  return (event) => {
    if (state === 'failed') return [];
    if (state === 'running' || event.type === 'turn-end' || event.type === 'turn-error' || event.type === 'source')
      take(event);
    return writer.take();
  };
}

const describe = (name: string): string =>
  name === '' ? 'it cannot be read' : `${name} is not one of the tools that may be called`;
