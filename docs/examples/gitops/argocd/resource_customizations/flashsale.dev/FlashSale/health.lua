-- Argo CD's health of a FlashSale, from its conditions (docs/conditions.md of flashsale says what each reason means).
-- In: obj, the live object. Out: a table with status (Healthy, Suspended, Progressing or Degraded) and message.
-- Argo CD runs this without Lua's libraries for texts and numbers, so it uses none.

local function health(status, message)
  return { status = status, message = message }
end

local status = obj.status
if obj.metadata.deletionTimestamp ~= nil then
  for _, condition in ipairs((status or {}).conditions or {}) do
    if condition.reason == "OrdersNotRelayed" then
      return health("Degraded", condition.message)
    end
  end
  return health("Progressing", "The sale is being deleted")
end

if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The operator has not looked at this edit yet")
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end
local absent = { status = "Unknown", message = "The operator has not said yet whether the sale is ready" }
local ready = conditions.Ready or absent
local progressing = conditions.Progressing or absent
local degraded = conditions.Degraded or absent

if ready.status == "Unknown" then
  return health("Progressing", ready.message)
end

-- While pods are started or replaced some are away; that is no trouble unless it lasts beyond it.
local passing = {
  Starting = true,
  Resizing = true,
}
if progressing.status == "True" then
  passing.CachesNotReady = true
  passing.ShardsNotReady = true
  passing.StorefrontsNotReady = true
  passing.PartlyReady = true
end

if degraded.status == "True" and not passing[degraded.reason] then
  return health("Degraded", degraded.message)
end
if ready.status == "False" then
  if passing[ready.reason] then
    return health("Progressing", ready.message)
  end
  return health("Degraded", ready.message)
end
if progressing.status == "True" then
  return health("Progressing", progressing.message)
end
if ready.reason == "Paused" then
  return health("Suspended", ready.message)
end
return health("Healthy", ready.message)
