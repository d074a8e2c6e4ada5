/** The values of the web contract that are configuration, never literals in code (protocol 0.2, 4.3, 4.4). */
export interface WebProfile {
  /** Origin of the backend without a trailing slash, such as `https://chat.z.ai`. */
  readonly base: string;
  readonly signingSecret: string;
  readonly userAgent: string;
  /** Such as `en-US`; it also chooses the language of upstream error texts. */
  readonly language: string;
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly region: string;
  /** One UUID per installation (protocol 4.4). */
  readonly deviceId: string;
}
