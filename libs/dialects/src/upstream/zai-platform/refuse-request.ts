import { TurnError, type TurnAttachment, type TurnRequest } from '@zai2api/turn';
import { allowedTools } from '../../stages/tool-choice.ts';
import { platformTraits } from './platform-models.ts';

/** As many tools as one request may name (protocol 10.2). */
const MAX_TOOLS = 128;

/** Why the official API cannot take the request, before it is asked; undefined when it may (protocol 10.2). */
export function refuseRequest(
  { messages, tools, toolChoice }: TurnRequest,
  upstreamModel: string,
): TurnError | undefined {
  const attachments = messages.flatMap((message) => ('attachments' in message ? (message.attachments ?? []) : []));
  const [first] = attachments;
  if (first && !platformTraits(upstreamModel).vision) return fileNotTaken(first);
  const document = attachments.find(({ kind }) => kind === 'document');
  if (document && attachments.some(({ kind }) => kind !== 'document')) return documentBesideImages(document);
  if (allowedTools(tools, toolChoice).size <= MAX_TOOLS) return undefined;
  return new TurnError('unsupported', `The official API takes ${MAX_TOOLS} tools at most.`, {
    layer: 'client',
    param: 'tools',
    reason: 'unsupported_value',
  });
}

const inputNames: Record<TurnAttachment['kind'], string> = { image: 'image', video: 'video', document: 'file' };

function fileNotTaken({ kind, param }: TurnAttachment): TurnError {
  const name = inputNames[kind];
  return new TurnError(
    'unsupported',
    `The model takes no ${name} input at the official API. Use a vision model, such as glm-4.6v.`,
    { layer: 'client', param, reason: `${name}_input_not_supported` },
  );
}

function documentBesideImages({ param }: TurnAttachment): TurnError {
  return new TurnError('unsupported', 'The official API takes either files or images and videos, not both.', {
    layer: 'client',
    param,
    reason: 'file_input_not_supported',
  });
}
