import { TurnError, type TurnAttachment, type TurnRequest } from '@zai2api/turn';
import { allowedTools } from '../../stages/tool-choice.ts';
import { platformTraits, type PlatformTraits } from './platform-models.ts';

/** As many tools as one request may name (protocol 10.2). */
const MAX_TOOLS = 128;

/** What is to be known of a file to tell whether the official API takes it. */
export interface PlatformUpload {
  readonly kind: TurnAttachment['kind'];
  readonly sizeBytes: number;
  /** By content. */
  readonly mediaType: string;
  /** Path of the part in the client's request. */
  readonly param: string;
}

const MiB = 1024 * 1024;
/** Of one file (protocol 10.2). */
const maxBytesByKind: Record<TurnAttachment['kind'], number> = { image: 5 * MiB, video: 200 * MiB, document: 50 * MiB };
/** mp4, mkv and mov (protocol 10.2). */
const videoTypes: ReadonlySet<string> = new Set(['video/mp4', 'video/x-m4v', 'video/matroska', 'video/quicktime']);

/** Why the official API cannot take the request, before it is asked; undefined when it may (protocol 10.2). `files`: once they are read. */
export function refuseRequest(
  { messages, tools, toolChoice }: TurnRequest,
  upstreamModel: string,
  files: readonly PlatformUpload[] = [],
): TurnError | undefined {
  const traits = platformTraits(upstreamModel);
  const attachments = messages.flatMap((message) => ('attachments' in message ? (message.attachments ?? []) : []));
  const [first] = attachments;
  if (first && !traits.vision) return fileNotTaken(first);
  const document = attachments.find(({ kind }) => kind === 'document');
  if (document && attachments.some(({ kind }) => kind !== 'document')) return documentBesideImages(document);
  const refused = refuseFiles(files, traits);
  if (refused) return refused;
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

function refuseFiles(files: readonly PlatformUpload[], { maxVideos }: PlatformTraits): TurnError | undefined {
  for (const file of files) {
    const name = inputNames[file.kind];
    const maxBytes = maxBytesByKind[file.kind];
    if (file.sizeBytes > maxBytes)
      return badFile(file, `The official API takes no ${name} of more than ${maxBytes / MiB} MiB.`);
    if (file.kind === 'video' && !videoTypes.has(file.mediaType))
      return badFile(file, 'The official API takes videos as MP4, Matroska or QuickTime.');
  }
  const beyond = files.filter(({ kind }) => kind === 'video')[maxVideos];
  if (!beyond) return undefined;
  const most = maxVideos === 1 ? '1 video' : `${maxVideos} videos`;
  return new TurnError('invalid_request', `The official API takes ${most} in a request for this model.`, {
    layer: 'client',
    param: beyond.param,
    reason: 'too_many_files',
  });
}

const badFile = ({ kind, param }: PlatformUpload, message: string): TurnError =>
  new TurnError('invalid_request', message, {
    layer: 'client',
    param,
    reason: kind === 'document' ? 'invalid_file_data' : `invalid_${inputNames[kind]}_url`,
  });

function documentBesideImages({ param }: TurnAttachment): TurnError {
  return new TurnError('unsupported', 'The official API takes either files or images and videos, not both.', {
    layer: 'client',
    param,
    reason: 'file_input_not_supported',
  });
}
