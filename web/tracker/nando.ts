console.log(ELEMENTS_SCRIPT);
