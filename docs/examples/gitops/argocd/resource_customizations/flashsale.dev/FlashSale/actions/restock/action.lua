-- Puts more units on sale.
-- In: obj, the live object; actionParams.units, how many more, as a text. Out: obj as it should be.

local units = actionParams ~= nil and tonumber(actionParams["units"])
if not units or units < 1 or units % 1 ~= 0 then
  error("units must be a whole number of at least 1, such as 5000", 0)
end
obj.spec.stock = obj.spec.stock + units
return obj
