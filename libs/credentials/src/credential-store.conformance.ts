import { describe } from '@jest/globals';
import { describeChoosing } from './conformance/choosing.conformance.ts';
import { describeClosing } from './conformance/closing.conformance.ts';
import { describeContents } from './conformance/contents.conformance.ts';
import { describeDeadlines } from './conformance/deadlines.conformance.ts';
import { describeOutcomes } from './conformance/outcomes.conformance.ts';
import { describeSupply } from './conformance/supply.conformance.ts';
import { describeWaiting } from './conformance/waiting.conformance.ts';
import { createStoreScene, type StoreUnderTest } from './conformance/store-scene.conformance.ts';

/** What every credential store promises. The port says it in words, this says it in deeds. */
export function describeCredentialStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the promises of a credential store`, () => {
    const scene = createStoreScene(makeStore);
    describeChoosing(scene);
    describeWaiting(scene);
    describeDeadlines(scene);
    describeOutcomes(scene);
    describeContents(scene);
    describeSupply(scene);
    describeClosing(scene);
  });
}
