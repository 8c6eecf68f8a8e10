// A package that cannot be loaded.
throw new Error('thrown at load');
