export default async function create({ codes, ids }) {
  return { partitionColumns: [], assign: () => ({ codes: Int32Array.from(codes), ids }) };
}
