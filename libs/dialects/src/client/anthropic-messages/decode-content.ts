import type { IgnoredFields } from '../request/ignored-fields.ts';
import { joinParts } from '../request/join-parts.ts';
import { parsePart } from '../request/parse-body.ts';
import { decodeDocument, decodeImage, type DecodedParts } from './decode-attachment.ts';
import { searchResultBlockSchema, textBlockSchema, toolReferenceSchema, type WireBlock } from './wire-schema.ts';

/** Reads blocks that are text, files or both. Types that nobody knows are named as ignored: this API grows by new ones (contract 0.2). */
export interface ContentDecoder {
  decodeBlock(block: WireBlock, path: string): DecodedParts;
  decodeBlocks(blocks: readonly WireBlock[], path: string): DecodedParts;
}

/** A decoder for one request. `onToolReference` hears of every deferred tool that the conversation has found. */
export function createContentDecoder(ignored: IgnoredFields, onToolReference: (name: string) => void): ContentDecoder {
  function decodeBlock(block: WireBlock, path: string): DecodedParts {
    switch (block.type) {
      case 'text': {
        const parsed = parsePart(textBlockSchema, block, path);
        ignored.addUnknown(parsed, textBlockSchema.shape, 'messages[].content[].');
        return textOnly(parsed.text);
      }
      case 'image':
        return decodeImage(block, path);
      case 'document':
        return decodeDocument(block, path, decodeBlocks);
      case 'search_result':
        return decodeSearchResult(block, path);
      case 'tool_reference': {
        const { tool_name: name } = parsePart(toolReferenceSchema, block, path);
        onToolReference(name);
        return textOnly(`The tool ${name} is available now.`);
      }
      default:
        ignored.addUnlessDefault(block.type, true, 'messages[].content[].');
        return textOnly('');
    }
  }

  function decodeBlocks(blocks: readonly WireBlock[], path: string): DecodedParts {
    const parts = blocks.map((block, index) => decodeBlock(block, `${path}[${index}]`));
    return {
      text: joinParts(parts.map(({ text }) => text)),
      attachments: parts.flatMap(({ attachments }) => attachments),
    };
  }

  function decodeSearchResult(block: WireBlock, path: string): DecodedParts {
    const { source = '', title = '', content = [] } = parsePart(searchResultBlockSchema, block, path);
    const { text, attachments } = decodeBlocks(content, `${path}.content`);
    return { text: joinParts([`Search result: ${title} (${source})`, text]), attachments };
  }

  return { decodeBlock, decodeBlocks };
}

const textOnly = (text: string): DecodedParts => ({ text, attachments: [] });
