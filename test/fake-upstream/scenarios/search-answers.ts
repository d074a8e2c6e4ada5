import { createAnswerDocument } from './answer-document.ts';
import { completionFrame, endMarker } from './frames.ts';
import type { ScenarioContext, ScenarioTable, Step } from './scenario.ts';

const results = [
  { title: 'Example', url: 'https://example.org/', index: 1, ref_id: 'turn0search1' },
  { title: 'Second', url: 'https://example.net/two', index: 2, ref_id: 'turn0search2' },
];

function* searchResults(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  yield document.edit('tool_call', 0, JSON.stringify({ search_result: results }));
  // The results are not part of the answer: the next edit writes over them.
  yield document.edit('answer', 0, 'As reported 【turn0se');
  yield document.append('answer', 'arch1】 and also 【');
  yield document.append('answer', 'turn0search2】.');
  yield* document.ending();
  yield endMarker;
}

function* searchDeltas(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  yield document.edit('tool_call', 0, JSON.stringify({ search_result: results }));
  yield document.append('answer', 'As reported 【turn0se');
  yield document.append('answer', 'arch1】.');
  yield* document.ending();
  yield endMarker;
}

function* searchPhase(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  yield completionFrame({ phase: 'search', results: results.map(({ title, url }) => ({ title, url })) });
  yield document.append('answer', 'As reported.');
  yield* document.ending();
  yield endMarker;
}

/** Web search of the site itself (protocol 5.6, 5.7). */
export const searchAnswers: ScenarioTable = {
  'search-results': {
    description: 'results and a citation split over two frames, as in protocol 5.7',
    steps: searchDeltas,
  },
  'search-results-edit': {
    description: 'results, then an edit at index 0 begins the answer; citations split in two ways',
    steps: searchResults,
  },
  'search-phase': { description: 'a frame of phase search with a results list', steps: searchPhase },
};
