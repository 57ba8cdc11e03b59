-- What a person may do to a FlashSale from Argo CD, besides committing to Git.
-- In: obj, the live object. Out: a table by the action's name.

local paused = obj.spec.paused == true
return {
  ["pause"] = {
    ["displayName"] = "Pause purchases",
    ["iconClass"] = "fa fa-fw fa-pause",
    ["disabled"] = paused,
  },
  ["resume"] = {
    ["displayName"] = "Resume purchases",
    ["iconClass"] = "fa fa-fw fa-play",
    ["disabled"] = not paused,
  },
  ["restock"] = {
    ["displayName"] = "Restock",
    ["iconClass"] = "fa fa-fw fa-plus",
    ["params"] = { { ["name"] = "units" } },
  },
}
