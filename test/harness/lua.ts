// Runs a script as Argo CD runs those of its resource customizations: Lua 5.1 without the libraries for texts, numbers,
// files and debugging, the object in a global, one value back. What goes in and out are plain values, which become a
// Lua literal and JSON, for both sides count lists differently.

import { Lua } from 'wasmoon-lua5.1';

/** `value`: what the script returned. `error`: what it complained of. */
export type LuaOutcome = { value: unknown } | { error: string };

/** `globals`: plain data by name. */
export async function runLua(script: string, globals: Record<string, unknown>): Promise<LuaOutcome> {
  const lua = await Lua.create();
  try {
    const variables = Object.entries(globals).map(([name, value]) => `${name} = ${literal(value)}`);
    const json: unknown = lua.doStringSync(`${variables.join('\n')}\n${PRELUDE}\nreturn run(${literal(script)})`);
    return JSON.parse(String(json)) as LuaOutcome;
  } finally {
    lua.global.close();
  }
}

/** Takes away what Argo CD does not give, and keeps what it needs itself. */
const PRELUDE = `
local format, gsub, byte, concat, load = string.format, string.gsub, string.byte, table.concat, loadstring
getmetatable("").__index = nil
string, math, io, debug, coroutine, loadstring, dofile, loadfile = nil

local function json(value)
  if type(value) == "string" then
    return '"' .. gsub(value, '[%c"\\\\]', function(c) return format("\\\\u%04x", byte(c)) end) .. '"'
  end
  if type(value) == "number" then return format("%.17g", value) end
  if type(value) ~= "table" then return value == nil and "null" or tostring(value) end
  local parts = {}
  if #value > 0 or next(value) == nil then
    for i, item in ipairs(value) do parts[i] = json(item) end
    return "[" .. concat(parts, ",") .. "]"
  end
  for key, item in pairs(value) do parts[#parts + 1] = json(key) .. ":" .. json(item) end
  return "{" .. concat(parts, ",") .. "}"
end

function run(script)
  local chunk, mistake = load(script, "=script")
  if not chunk then return json({ error = mistake }) end
  local ok, result = pcall(chunk)
  if ok then return '{"value":' .. json(result) .. "}" end
  return json({ error = tostring(result) })
end`;

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'string')
    return `"${[...Buffer.from(value)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `{${value.map(literal).join(', ')}}`;
  return `{${Object.entries(value)
    .map(([name, inner]) => `[${literal(name)}] = ${literal(inner)}`)
    .join(', ')}}`;
}
