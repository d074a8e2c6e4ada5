/** Where the official API is and how it is spoken to (protocol 10.1). */
export interface PlatformProfile {
  /** Base of all routes without a trailing slash, such as `https://api.z.ai/api/paas/v4`. */
  readonly base: string;
  /** Such as `en-US`; chooses the language of upstream error texts. */
  readonly language: string;
}
