import type { CompletionBody } from './completion-body.ts';

/** The ids that the content parts of the messages name as their pictures and films. */
function shownIds({ messages }: CompletionBody): string[] {
  return messages.flatMap(({ content }) =>
    Array.isArray(content)
      ? content.flatMap((part: Readonly<Record<string, { url?: unknown } | undefined>> | null) => {
          const url = part?.['image_url']?.url ?? part?.['video_url']?.url;
          return typeof url === 'string' ? [url] : [];
        })
      : [],
  );
}

/** Whether every picture and film stands in both places, in the same order, and every file names the message it belongs to (protocol 7). */
export function hasMatchingFiles(body: CompletionBody): boolean {
  const files = body.files ?? [];
  const listed = files.filter(({ type }) => type === 'image' || type === 'video').map(({ id }) => id);
  const shown = shownIds(body);
  return (
    listed.length === shown.length &&
    listed.every((id, index) => id === shown[index]) &&
    files.every((file) => file.ref_user_msg_id === body.current_user_message_id)
  );
}
