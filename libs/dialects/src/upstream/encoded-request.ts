/** One HTTP request towards an upstream, ready to be sent. */
export interface EncodedRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** May hold a token in its query: never log it (protocol 4.3). */
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}
