/** One event of a response as a frame: the name of the event is its type, and its data one line (contract 0.11, 2.7). */
export function encodeResponseEvent(type: string, sequenceNumber: number, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequenceNumber, ...fields })}\n\n`;
}
