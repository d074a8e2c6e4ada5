import { describeMintBudget } from './mint-budget.conformance.ts';
import { createLocalMintBudget } from './mint-budget.ts';

describeMintBudget('createLocalMintBudget', createLocalMintBudget);
