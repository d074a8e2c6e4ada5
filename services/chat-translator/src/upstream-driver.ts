import type { UpstreamModel } from '@zai2api/dialects';
import type { Credential } from '@zai2api/credentials';
import type {
  EmbeddingRequest,
  EmbeddingResult,
  ImageRequest,
  ImageResult,
  TurnError,
  TurnEvent,
  TurnRequest,
  TurnWarning,
} from '@zai2api/turn';
import type { Media } from './media/read-attachments.ts';
import type { TurnTimeouts } from './turn/turn-timeouts.ts';
import type { FrontendVersionReading } from './zai-web/frontend-version.ts';

/** One turn as a driver gets it: what the client asked for, and what the model's name and abilities made of it. */
export interface DriverTurn {
  readonly request: TurnRequest;
  /** The files that the messages name as attachments, in the same order. */
  readonly media: readonly Media[];
  readonly warnings: readonly TurnWarning[];
  readonly model: UpstreamModel;
  readonly thinking: boolean;
  readonly search: boolean;
  readonly timeouts: TurnTimeouts;
}

/** One way to the models. */
export interface UpstreamDriver {
  readonly name: string;
  /** True: the upstream itself keeps to the most tokens of a request, and counts better than we estimate. */
  readonly limitsTokens?: boolean;
  /** Why this upstream can never take the turn, so that another one is asked; undefined when it may. */
  refuses?(turn: DriverTurn): TurnError | undefined;
  /**
   * Runs one turn on one credential. Yields the events of one network chunk at a time and ends after `turn-end` or `turn-error`;
   * throws a TurnError when the answer did not begin. Aborting the signal, or leaving the iteration, ends the upstream call at once.
   */
  run(turn: DriverTurn, credential: Credential, signal: AbortSignal): AsyncIterable<TurnEvent[]>;
  /** Makes vectors of texts; absent where the upstream cannot. Throws a TurnError. */
  readonly embed?: (request: EmbeddingRequest, credential: Credential, signal: AbortSignal) => Promise<EmbeddingResult>;
  /** Makes a picture; absent where the upstream cannot. Throws a TurnError. */
  readonly drawImage?: (request: ImageRequest, credential: Credential, signal: AbortSignal) => Promise<ImageResult>;
  /** The models on offer now. Throws a TurnError. */
  listModels(credential: Credential, signal: AbortSignal): Promise<UpstreamModel[]>;
  /** Learns anew what may have gone stale; called before a retry that an error of `refresh-session` asks for. */
  refresh(signal: AbortSignal): Promise<void>;
  /** The frontend version in use and where it comes from; absent where there is no such thing. */
  frontendVersion?(): FrontendVersionReading;
  /** Waits for the cleaning-up that goes on behind finished turns, up to the deadline. */
  stop(deadline: AbortSignal): Promise<void>;
}
