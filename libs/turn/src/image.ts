/** A picture to be made, free of any dialect. */
export interface ImageRequest {
  /** As asked for. */
  readonly model: string;
  readonly prompt: string;
  /** Width and height in pixels; the model's own size when undefined. */
  readonly size?: { readonly width: number; readonly height: number } | undefined;
  readonly quality?: 'hd' | 'standard' | undefined;
}

/** Where the picture can be fetched, for a while. */
export interface ImageResult {
  readonly url: string;
}
