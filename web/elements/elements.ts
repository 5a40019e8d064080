console.log("elements");
