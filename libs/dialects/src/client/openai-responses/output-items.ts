import { findCitations } from '../find-citations.ts';

/** How far an item got. */
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** A source, with the place of the text that cites it; an empty range where none does. */
export interface UrlCitation {
  readonly type: 'url_citation';
  readonly url: string;
  readonly title: string;
  readonly start_index: number;
  readonly end_index: number;
}

/** The only kinds of content that an answer has. */
export type OutputPart =
  | {
      readonly type: 'output_text';
      readonly text: string;
      readonly annotations: readonly UrlCitation[];
      readonly logprobs: readonly [];
    }
  | { readonly type: 'refusal'; readonly refusal: string };

/** An item of an answer (contract 2.6). */
export type OutputItem =
  | {
      readonly id: string;
      readonly type: 'message';
      readonly role: 'assistant';
      readonly status: ItemStatus;
      readonly content: readonly OutputPart[];
    }
  | {
      readonly id: string;
      readonly type: 'reasoning';
      readonly summary: readonly { readonly type: 'summary_text'; readonly text: string }[];
      /** The thought, sealed, for a client that keeps the conversation itself. */
      readonly encrypted_content?: string;
      readonly status: ItemStatus;
    }
  | {
      readonly id: string;
      readonly type: 'function_call';
      readonly call_id: string;
      readonly name: string;
      readonly namespace?: string;
      readonly arguments: string;
      readonly status: ItemStatus;
    }
  | {
      readonly id: string;
      readonly type: 'custom_tool_call';
      readonly call_id: string;
      readonly name: string;
      readonly namespace?: string;
      readonly input: string;
      readonly status: ItemStatus;
    };

/** A part with this text; AI SDK asks for the empty lists (contract 2.6). */
export function textPart(text: string, annotations: readonly UrlCitation[] = []): OutputPart {
  return { type: 'output_text', text, annotations, logprobs: [] };
}

/** A summary of one part, which is the whole thought. */
export function summaryPart(text: string): { readonly type: 'summary_text'; readonly text: string } {
  return { type: 'summary_text', text };
}

/**
 * The sources of an answer as the annotations of one of its texts: one for each place that cites a source. With `all`, sources that nothing
 * cites get an empty range: the one value that no client turns into a wrong highlight.
 */
export function citeSources(
  sources: readonly { readonly url: string; readonly title: string }[],
  text: string,
  all: boolean,
): UrlCitation[] {
  return sources.flatMap(({ url, title }) => {
    const places = findCitations(text, url);
    const shown = places.length === 0 && all ? [{ start: 0, end: 0 }] : places;
    return shown.map(({ start, end }): UrlCitation => ({
      type: 'url_citation',
      url,
      title,
      start_index: start,
      end_index: end,
    }));
  });
}
