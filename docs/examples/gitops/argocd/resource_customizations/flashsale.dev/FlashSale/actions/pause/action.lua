-- Stops purchases at once; tokens already handed out can still be checked out.
-- In: obj, the live object. Out: obj as it should be.

obj.spec.paused = true
return obj
