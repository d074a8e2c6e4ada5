import type { TurnAttachment } from '@zai2api/turn';
import { decodeText, fileTypeOf, isTextType } from '../request/file-types.ts';
import { inlineDocument } from '../request/inline-document.ts';
import { isWebAddress } from '../request/is-web-address.ts';
import { parseBase64 } from '../request/parse-data-url.ts';
import { parsePart } from '../request/parse-body.ts';
import { invalidValue, unsupportedPart } from '../request/request-fault.ts';
import {
  base64SourceSchema,
  contentSourceSchema,
  documentBlockSchema,
  imageBlockSchema,
  textSourceSchema,
  urlSourceSchema,
  type WireBlock,
} from './wire-schema.ts';

/** What a block brings along: text, and files that nobody has read yet. */
export interface DecodedParts {
  readonly text: string;
  readonly attachments: readonly TurnAttachment[];
}

const fileRefused = 'file_input_not_supported';

/** A picture (contract 3.3): bytes, or an address that nobody has followed yet. Throws with `path`. */
export function decodeImage(block: WireBlock, path: string): DecodedParts {
  const { source } = parsePart(imageBlockSchema, block, path);
  switch (source.type) {
    case 'base64': {
      const { media_type: declared = '', data } = parsePart(base64SourceSchema, source, `${path}.source`);
      const mediaType = declared.toLowerCase();
      const base64 = parseBase64(data);
      if (base64 === undefined || !mediaType.startsWith('image/')) {
        throw invalidValue(`${path}.source`, 'expected the base64 bytes of an image.', 'invalid_image_url');
      }
      return attach({ kind: 'image', source: { type: 'data', mediaType, base64 }, param: path });
    }
    case 'url':
      return attach({ kind: 'image', source: addressOf(source, path, 'invalid_image_url'), param: path });
    case 'file':
      throw unsupportedPart(path, fileRefused);
    default:
      throw invalidValue(`${path}.source.type`, 'unknown kind of source.');
  }
}

/**
 * A document (contract 3.3). What is text is inlined under its title; `decodeBlocks` reads a document that is made of blocks. Throws with
 * `path`.
 */
export function decodeDocument(
  block: WireBlock,
  path: string,
  decodeBlocks: (blocks: readonly WireBlock[], path: string) => DecodedParts,
): DecodedParts {
  const { source, title, context } = parsePart(documentBlockSchema, block, path);
  const inline = (text: string, attachments: readonly TurnAttachment[] = []): DecodedParts => ({
    text: inlineDocument(context === undefined ? text : `${context}\n\n${text}`, title),
    attachments,
  });
  switch (source.type) {
    case 'text':
      return inline(parsePart(textSourceSchema, source, `${path}.source`).data);
    case 'content': {
      const { content } = parsePart(contentSourceSchema, source, `${path}.source`);
      if (typeof content === 'string') return inline(content);
      const { text, attachments } = decodeBlocks(content, `${path}.source.content`);
      return inline(text, attachments);
    }
    case 'base64': {
      const { media_type: declared = '', data } = parsePart(base64SourceSchema, source, `${path}.source`);
      const base64 = parseBase64(data);
      if (base64 === undefined) throw invalidValue(`${path}.source.data`, 'expected base64.', 'invalid_file_data');
      const mediaType = fileTypeOf(declared.toLowerCase(), title);
      const text = isTextType(mediaType) ? decodeText(base64) : undefined;
      if (text !== undefined) return inline(text);
      const kind = mediaType.startsWith('image/') ? 'image' : 'document';
      return attach({ kind, source: { type: 'data', mediaType, base64 }, filename: title, param: path }, context);
    }
    case 'url': {
      const address = addressOf(source, path, 'invalid_file_url');
      return attach({ kind: 'document', source: address, filename: title, param: path }, context);
    }
    case 'file':
      throw unsupportedPart(path, fileRefused);
    default:
      throw invalidValue(`${path}.source.type`, 'unknown kind of source.');
  }
}

function addressOf(source: WireBlock, path: string, reason: string): TurnAttachment['source'] {
  const { url } = parsePart(urlSourceSchema, source, `${path}.source`);
  if (!isWebAddress(url)) throw invalidValue(`${path}.source.url`, 'expected an http(s) address.', reason);
  return { type: 'url', url };
}

const attach = (attachment: TurnAttachment, text = ''): DecodedParts => ({ text, attachments: [attachment] });
