import * as z from 'zod';

const MAX_MODEL_CHARACTERS = 256;
const MAX_LABEL_CHARACTERS = 512;

/** The name of a model. It is looked up under many names, so it has a bound. */
export const modelName = z.string().max(MAX_MODEL_CHARACTERS, `expected at most ${MAX_MODEL_CHARACTERS} characters`);

/** A text that ends an answer. All of them are looked for with every piece of it. */
export const stopText = z.string().max(MAX_LABEL_CHARACTERS, `expected at most ${MAX_LABEL_CHARACTERS} characters`);

/** A word of the client's own that answers repeat, or that something is looked up by: an id, a key, a tier. */
export const label = z.string().max(MAX_LABEL_CHARACTERS, `expected at most ${MAX_LABEL_CHARACTERS} characters`);
