import { messageEventSchema, type WireMessage, type WireMessageEvent } from './message-schemas.ts';

/**
 * The events of a stream of the Messages API, each held to its schema and all of them to the rules of contract 3.5: the name of a frame is the
 * type of its event, indices have no gaps, one block is open at a time, a seal is the last word of a thought, nothing follows the end.
 * Comments are passed over. Throws at the first fault.
 */
export function readMessageEvents(sse: string): WireMessageEvent[] {
  const blocks = sse.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'));
  const events = blocks.map((block) => {
    const [name, data, ...rest] = block.split('\n');
    if (rest.length > 0) throw new Error(`An event has more than one line of data: ${block}`);
    const event = messageEventSchema.parse(JSON.parse(data?.slice('data: '.length) ?? ''));
    if (name !== `event: ${event.type}`) throw new Error(`${name} is not the type of its event, ${event.type}.`);
    return event;
  });
  checkOrder(events);
  return events;
}

function checkOrder(events: readonly WireMessageEvent[]): void {
  let begun = false;
  let ended = false;
  let next = 0;
  let open: number | undefined;
  let isSealed = false;
  for (const [at, event] of events.entries()) {
    const refuse = (why: string): never => {
      throw new Error(`Event ${at}, ${event.type}: ${why}.`);
    };
    if (ended) refuse('something follows the end');
    if (!begun && event.type !== 'message_start' && event.type !== 'error') refuse('the message has not begun');
    switch (event.type) {
      case 'message_start':
        if (begun) refuse('a second beginning');
        begun = true;
        break;
      case 'content_block_start':
        if (open !== undefined) refuse('another block is open');
        if (event.index !== next) refuse('a gap between blocks');
        open = event.index;
        isSealed = false;
        next += 1;
        break;
      case 'content_block_delta':
        if (event.index !== open) refuse('the block is not open');
        if (isSealed) refuse('the block is sealed');
        isSealed = event.delta.type === 'signature_delta';
        break;
      case 'content_block_stop':
        if (event.index !== open) refuse('the block is not open');
        open = undefined;
        break;
      case 'message_delta':
        if (open !== undefined) refuse('a block is open');
        break;
      case 'message_stop':
        if (events[at - 1]?.type !== 'message_delta') refuse('nothing said why');
        ended = true;
        break;
      case 'error':
        ended = true;
        break;
      case 'ping':
        break;
    }
  }
  if (!ended) throw new Error('The stream has no end.');
}

/** The message that the events of a stream add up to, as the official client reads them. Throws when the stream ended in an error. */
export function foldMessageEvents(events: readonly WireMessageEvent[]): WireMessage {
  const content: WireMessage['content'] = [];
  let message: Partial<WireMessage> = {};
  let input = '';
  for (const event of events) {
    const block = content.at(-1);
    if (event.type === 'error') throw new Error(event.error.message);
    if (event.type === 'message_start') {
      const { stop_reason: _reason, content: _content, ...rest } = event.message;
      message = rest;
    } else if (event.type === 'content_block_start') {
      input = '';
      content.push(structuredClone(event.content_block));
    } else if (event.type === 'content_block_delta') {
      const { delta } = event;
      if (delta.type === 'text_delta' && block?.type === 'text') block.text += delta.text;
      if (delta.type === 'citations_delta' && block?.type === 'text') {
        block.citations = [...(block.citations ?? []), delta.citation];
      }
      if (delta.type === 'thinking_delta' && block?.type === 'thinking') block.thinking += delta.thinking;
      if (delta.type === 'signature_delta' && block?.type === 'thinking') block.signature = delta.signature;
      if (delta.type === 'input_json_delta') input += delta.partial_json;
    } else if (event.type === 'content_block_stop' && block?.type === 'tool_use') {
      block.input = JSON.parse(input) as Record<string, unknown>;
    } else if (event.type === 'message_delta' && message.usage) {
      message = { ...message, ...event.delta, usage: { ...message.usage, ...event.usage } };
    }
  }
  return { ...message, content } as WireMessage;
}
