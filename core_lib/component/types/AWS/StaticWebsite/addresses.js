var allowed = [/* ALLOWED */];

function bytes(address) {
  if (address.indexOf(':') < 0) {
    return address.split('.').map(Number);
  }
  var halves = address.split('::');
  var words = halves.map(function (half) { return half === '' ? [] : half.split(':'); });
  if (words.length === 2) {
    var zeros = 8 - words[0].length - words[1].length;
    words = [words[0].concat(Array(zeros).fill('0'), words[1])];
  }
  return words[0].reduce(function (all, word) {
    var value = parseInt(word, 16);
    return all.concat([value >> 8, value & 255]);
  }, []);
}

function inside(address, range) {
  var parts = range.split('/');
  var left = bytes(address);
  var right = bytes(parts[0]);
  if (left.length !== right.length) {
    return false;
  }
  for (var bit = 0; bit < Number(parts[1]); bit++) {
    var mask = 128 >> (bit % 8);
    if ((left[bit >> 3] & mask) !== (right[bit >> 3] & mask)) {
      return false;
    }
  }
  return true;
}

function handler(event) {
  var address = event.viewer.ip;
  if (allowed.some(function (range) { return inside(address, range); })) {
    return event.request;
  }
  return { statusCode: 403, statusDescription: 'Forbidden' };
}
