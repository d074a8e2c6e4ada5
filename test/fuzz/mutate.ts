/** A source of numbers that gives the same row for the same seed, so that a finding can be repeated. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    // mulberry32: small, and good enough to choose places.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof createRandom>;

/** Pieces that decoders stumble over. */
const splices = [
  '<details type="reasoning" done="false">\n<summary>',
  '</details>',
  '\n> ',
  '<glm_block type="tool_call">',
  '</glm_block>',
  '【turn0search1】',
  '<tool_calls><tool_call name="x"><![CDATA[',
  ']]></tool_call></tool_calls>',
  '"edit_index":0,"edit_content":"',
  '"edit_index":-5,"edit_content":"x',
  '"done":true',
  '\u0000',
  '\ud83d',
  '\r',
  '\n\n',
  'data: ',
  'event: error\n',
  '{"error":{"code":429}}',
  '[DONE]',
];

/** One to eight random changes: bytes flipped, dropped, doubled, moved; frames swapped between recordings; known pieces spliced in. */
export function mutate(recordings: readonly Uint8Array[], random: Random): Uint8Array {
  const any = (): Uint8Array => recordings[random(recordings.length)] ?? new Uint8Array();
  let bytes = Buffer.from(any());
  for (let change = random(8) + 1; change > 0; change--) {
    const at = random(bytes.length + 1);
    const end = Math.min(bytes.length, at + random(40));
    const cut = Buffer.from(bytes.subarray(at, end));
    const other = any();
    const from = random(other.length + 1);
    const inserts = [
      Buffer.alloc(0),
      Buffer.concat([cut, cut]),
      Buffer.from(splices[random(splices.length)] ?? ''),
      Buffer.from([random(256)]),
      Buffer.from(other.subarray(from, from + random(300))),
    ];
    const insert = inserts[random(inserts.length)] ?? cut;
    bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(random(2) === 0 ? at : end)]);
  }
  return bytes;
}
