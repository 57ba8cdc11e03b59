#!/usr/bin/env node
// The entry of kubectl-flashsale, which kubectl runs for `kubectl flashsale …`: everything is loaded from code that Node
// compiled the last time.

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from '../local/tools.ts';

enableCompileCache(join(cacheFolder(), 'compiled'));
const { main } = await import('./program.ts');
await main();
