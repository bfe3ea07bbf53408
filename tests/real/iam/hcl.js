// HashiCorp's parser of its language: each file as JSON.
const fs = require('fs');
const { parse } = require(`${process.argv[2]}/node_modules/@cdktf/hcl2json`);

Promise.all(process.argv.slice(3).map((file) => parse(file, fs.readFileSync(file, 'utf8'))))
  .then((all) => console.log(JSON.stringify(all)));
