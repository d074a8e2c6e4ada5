import type { TurnAttachment } from '@zai2api/turn';
import { decodeAttachment, isAttachmentPart } from './decode-attachment.ts';
import type { DecodedPart } from '../request/decode-media.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { joinParts } from '../request/join-parts.ts';
import { invalidValue, required } from '../request/request-fault.ts';
import { partSchema, type WireMessage, type WirePart } from './wire-schema.ts';

/** The content of one message. */
export interface DecodedContent {
  /** `undefined` when the message has no content. Parts are joined by {@link joinParts}. */
  readonly text: string | undefined;
  /** In order; only messages of users have any. */
  readonly attachments: readonly TurnAttachment[];
}

/** Text and attachments of a message (contract 1.2). Only users may bring attachments. */
export function decodeContent(message: WireMessage, path: string, ignored: IgnoredFields): DecodedContent {
  const { content } = message;
  if (content === undefined || typeof content === 'string') return { text: content, attachments: [] };
  const parts = content.map((part, index) => decodePart(message, part, `${path}.content[${index}]`, ignored));
  return {
    text: joinParts(parts.map((part) => ('text' in part ? part.text : ''))),
    attachments: parts.flatMap((part) => ('attachment' in part ? [part.attachment] : [])),
  };
}

function decodePart(message: WireMessage, part: WirePart, path: string, ignored: IgnoredFields): DecodedPart {
  if (part.type === 'text' || part.type === 'refusal') {
    ignored.addUnknown(part, partSchema.shape, 'messages[].content[].');
    return { text: required(part[part.type], `${path}.${part.type}`) };
  }
  if (message.role === 'user') return decodeAttachment(part, path, ignored);
  if (!isAttachmentPart(part.type)) throw invalidValue(`${path}.type`, 'unknown kind of content part.');
  // Instructions must not be cut; elsewhere a picture beside a text that says the same is common (contract 1.2).
  if (message.role === 'system' || message.role === 'developer') {
    throw invalidValue(`${path}.type`, 'only messages of users may carry anything but text.');
  }
  ignored.add(`messages[].content[].${part.type}`);
  return { text: '' };
}
