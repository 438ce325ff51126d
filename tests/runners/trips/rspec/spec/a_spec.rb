require 'json'

RSpec.describe('') do
  JSON.parse(File.read(File.join(__dir__, '..', 'names.json'), encoding: 'UTF-8')).each { |name| it(name) {} }
end

RSpec.describe 'outer' do
  it('plain') {}
  it('inner x') {}
  it { expect(1).to eq 1 }
  describe('inner') do
    it('x') {}
    it('#method') {}
  end
  describe('#method') { it('x') {} }
end

RSpec.describe(String, '#size') { it('counts') {} }
