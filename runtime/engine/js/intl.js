(function (native) { return {}; });
