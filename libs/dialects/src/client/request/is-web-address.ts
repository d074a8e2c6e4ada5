/** True for an absolute http or https address; whether anybody may follow it is for the guarded fetcher to say. */
export function isWebAddress(address: string): boolean {
  return /^https?:\/\//i.test(address) && URL.canParse(address);
}
