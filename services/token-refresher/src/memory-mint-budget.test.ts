import { describeMintBudget } from './mint-budget.conformance.ts';
import { createMemoryMintBudget } from './memory-mint-budget.ts';

describeMintBudget('createMemoryMintBudget', createMemoryMintBudget);
