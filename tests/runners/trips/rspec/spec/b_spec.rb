RSpec.describe('') do
  it('plain') {}
  it('of the second file') {}
end
