#!/usr/bin/env node
// The `flashsale` program's entry: everything is loaded from code that Node compiled the last time.

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from '../local/tools.ts';

enableCompileCache(join(cacheFolder(), 'compiled'));
const { main } = await import('./program.ts');
await main();
