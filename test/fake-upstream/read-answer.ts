/** The parts of a frame's `data` that the tests look at. */
export interface FrameData {
  readonly delta_content?: string;
  readonly edit_index?: number;
  readonly edit_content?: string;
  readonly phase?: string;
  readonly done?: boolean;
  readonly usage?: Readonly<Record<string, unknown>>;
  readonly error?: Readonly<Record<string, unknown>>;
}

export interface Frame {
  readonly type: string;
  readonly data: FrameData;
}

/** The JSON frames of a stream's text, in order; end markers and comments are left out. Throws when one is no JSON. */
export function readFrames(text: string): Frame[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('data: {'))
    .map((block) => JSON.parse(block.slice('data: '.length)) as Frame);
}

/** The document that the frames build, by the rule of protocol 5.4, counted in code points. */
export function replayDocument(frames: readonly Frame[]): string {
  let document: string[] = [];
  for (const { data } of frames) {
    if (data.delta_content !== undefined) document.push(...Array.from(data.delta_content));
    if (data.edit_index !== undefined)
      document = [...document.slice(0, data.edit_index), ...Array.from(data.edit_content ?? '')];
  }
  return document.join('');
}

/** The first error of a stream's text. */
export function firstError(text: string): Readonly<Record<string, unknown>> | undefined {
  return readFrames(text).find((frame) => frame.data.error)?.data.error;
}
