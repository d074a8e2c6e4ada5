/** Texts to be made vectors of, free of any dialect. */
export interface EmbeddingRequest {
  /** As asked for. */
  readonly model: string;
  /** None of them empty; at least one. */
  readonly texts: readonly string[];
  /** How long the vectors are to be; the model's own length when undefined. */
  readonly dimensions?: number | undefined;
}

/** The vectors, in the order of the texts. */
export interface EmbeddingResult {
  readonly vectors: readonly (readonly number[])[];
  readonly inputTokens: number;
}
