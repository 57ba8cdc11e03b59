-- Purchases go on.
-- In: obj, the live object. Out: obj as it should be.

obj.spec.paused = false
return obj
